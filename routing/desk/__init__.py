"""Pages for agents and supervisors: a client of the API in the API's own process (docs/adr/0016-the-desk.md)."""
