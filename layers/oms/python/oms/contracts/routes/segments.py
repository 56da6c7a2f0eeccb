"""Routes of segments of customers."""

from oms.contracts.routes.route import Route

# fmt: off
ROUTES: tuple[Route, ...] = (
    Route("GET", "/segments", "SegmentsApi", "customers.read",
          None, "Segments", "List the segments of customers"),
    Route("GET", "/segments/{segment}", "SegmentsApi", "customers.read",
          None, "Segment", "See what a segment says, as it counts or in a version"),
    Route("PUT", "/segments/{segment}", "SegmentsApi", "customers.write",
          "PutSegment", "Segment", "Save a segment as its next version"),
    Route("DELETE", "/segments/{segment}", "SegmentsApi", "customers.write",
          None, "Segment", "Delete a segment; its versions stay"),
    Route("GET", "/segments/{segment}/members", "SegmentsApi", "customers.read",
          None, "SegmentMemberPage", "List the customers of a segment"),
    Route("POST", "/segments/{segment}/exports", "SegmentsApi", "customers.read",
          "ExportSegment", "SegmentExport", "Write the customers of a segment into a CSV"),
)
# fmt: on
