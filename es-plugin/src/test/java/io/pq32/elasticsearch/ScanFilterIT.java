package io.pq32.elasticsearch;

/** Filters on segments whose codes are scanned. */
class ScanFilterIT extends FilterCases {
  ScanFilterIT() {
    super(Shape.SCANNED);
  }
}
