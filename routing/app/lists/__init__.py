"""Lists on their way in: bytes -> rows -> contacts with numbers that can be dialed. Pure: no database, no clock.

Nothing here keeps more than one row of a file, however long the file is, and no row of it can make an import fail:
a row is good, or refused with a word of `Refusal`.
"""
