"""What must be kept for years: SQL tables, their migrations, and plain functions that read and write them.

Every function takes a connection of `Database.begin` (it writes) or `Database.read`, then the tenant. Times are ms UTC.
"""
