"""The REST API: Flask, one module per resource. It reads live state, sends orders, and never writes state itself."""
