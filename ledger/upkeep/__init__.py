"""What an operator does to a log: begin it, check, copy, mend and restore it."""
