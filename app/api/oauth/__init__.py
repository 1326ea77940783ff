"""OAuth: tokens against a proof, given back, asked about; who may ask what is told at the well-known address."""
