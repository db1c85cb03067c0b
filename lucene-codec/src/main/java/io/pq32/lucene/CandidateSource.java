package io.pq32.lucene;

import java.io.IOException;

/** Finds accepted ordinals by their codes. */
interface CandidateSource {
  /**
   * The next ordinals, none of them twice over all calls.
   *
   * @return none when there are no more, or the collector ended the search
   */
  Candidates next() throws IOException;

  /** Whether what the last call found are the best of all accepted ordinals. */
  default boolean exhaustive() {
    return true;
  }
}
