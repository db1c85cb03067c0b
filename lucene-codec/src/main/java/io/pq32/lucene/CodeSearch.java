package io.pq32.lucene;

/** Finds candidates the way a plan says. */
sealed interface CodeSearch extends CandidateSource permits Scan, GraphWalk {
  /** Codes looked at so far. */
  long codesScored();
}
