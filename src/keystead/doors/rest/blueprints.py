"""``managed/blueprints/import/``: a blueprint that is sent to be applied once."""

from typing import Final

from keystead.doors.rest.operation import Operation
from keystead.kinds.pending import Pending
from keystead.people.installation.blueprint import BlueprintImport, BlueprintImportResult

OPERATIONS: Final = (
    Operation(
        "POST",
        "managed/blueprints/import/",
        Pending("No blueprint is applied yet."),
        "managed_blueprints_import_create",
        request=BlueprintImport,
        response=BlueprintImportResult,
        takes="multipart/form-data",
        permission="authentik_blueprints.add_blueprintinstance",
    ),
)
