"""PBX connectors behind one port: commands in, facts out."""
