"""What others say of us, line by line, against what we have done: matched, missing, different."""
