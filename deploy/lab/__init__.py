"""A private telephone laboratory on 127.0.0.1: Asterisk, Redis, SIP telephones and load.

Used by the system tests and the demonstration; the server itself never imports it.
"""
