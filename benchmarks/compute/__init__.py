"""What computing costs, without a page or a browser: networks, blocks, data sets, peers."""
