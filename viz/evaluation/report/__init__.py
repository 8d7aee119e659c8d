"""What an evaluation leaves: tables, plots, the best and worst pictures."""
