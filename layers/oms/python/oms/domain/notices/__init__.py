"""What customers are told of their orders: when, in which words, and when rather not."""
