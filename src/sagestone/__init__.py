"""Sagestone: SageMaker algorithms, registered with any AWS client and really validated on your own machines."""
