"""The review as plain data, one module for each part."""
