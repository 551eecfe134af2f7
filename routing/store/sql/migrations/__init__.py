"""Alembic: the one history of the tables. A new revision: copy the shape of the last one, its number one higher."""
