"""The review on paper: one self-contained HTML file."""
