"""CloudWatch and CloudWatch Logs: what jobs printed and measured."""
