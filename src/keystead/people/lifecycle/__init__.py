"""What becomes of people and of what they were given: access reviewed from time to time, and people who leave."""
