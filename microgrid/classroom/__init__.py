"""What a class sees first: the demo, and pages to open in a browser."""
