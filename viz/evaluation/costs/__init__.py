"""Parameters and multiply-adds of networks and blocks, beside what the papers print."""
