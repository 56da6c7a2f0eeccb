"""The deployment: two stacks of AWS CDK, and the embedded cloud to run them on."""
