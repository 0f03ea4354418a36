"""Who there is: users, groups, roles, their tokens and sessions, what they did (events), and the brands they see."""
