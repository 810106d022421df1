"""What records mean: the schema, the profiles, and who keeps to them."""
