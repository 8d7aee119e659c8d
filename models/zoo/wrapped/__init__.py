"""Networks that this program did not define: any PyTorch module that attends, and libraries."""
