package io.pq32.lucene;

import java.io.IOException;

/** Finds accepted ordinals by their codes, the most promising ones first. */
interface CandidateSource {
  /**
   * The next ordinals, the most promising ones first, none of them twice over all calls.
   *
   * @return none when there are no more, or the collector ended the search
   */
  int[] next() throws IOException;
}
