"""What was issued, as the API lists it: codes, refresh tokens, and grants, each of which stands for its access tokens.

The numbers by which the API names rows are the database's own: nothing else counts them.
"""
