"""Trust: keys, certificates, and what they sign and verify.

``keys`` reads and makes key pairs, ``x509`` makes and describes certificates, ``signer`` signs tokens and ``verifier``
verifies them, ``jwks`` publishes public keys, ``keypair`` is how a pair is kept as a setting. Not here: who may see a
private key (``kinds``), and what a token says (``providers``).
"""
