"""Background work: opening the installation, its first start, and the timetable of what is done again and again."""
