"""The objects a fresh installation holds (contract: defaults.md), as plain values; ``first_start`` writes them once.

Slugs, names and ``managed`` ids are what clients look up; titles and expressions are in our own words.
"""
