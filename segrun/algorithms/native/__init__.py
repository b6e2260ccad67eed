"""The backend `native`: compiled kernels that fit whole grids with scikit-learn's labels."""
