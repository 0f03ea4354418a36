"""The shape of everything that is configured or recorded; no kind is named here.

A kind is declared once, as a typed struct with annotated fields and a :class:`~keystead.kinds.kind.Kind` value last in
its file. Storage, REST verbs, validation, filters, OpenAPI, permissions and audit derive from that declaration.
"""
