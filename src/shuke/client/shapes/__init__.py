"""What goes in and what comes out, as the API's document says (written by scripts/write_client.py)."""
