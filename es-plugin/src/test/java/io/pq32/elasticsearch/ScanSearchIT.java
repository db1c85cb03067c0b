package io.pq32.elasticsearch;

/** Searches segments whose codes are scanned. */
class ScanSearchIT extends SearchCases {
  ScanSearchIT() {
    super(Integer.MAX_VALUE);
  }
}
