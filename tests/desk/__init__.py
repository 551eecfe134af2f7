"""The pages: what they show and send, in a client of Flask and in a real browser."""
