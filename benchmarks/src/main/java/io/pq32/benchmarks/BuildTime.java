package io.pq32.benchmarks;

/**
 * How long it took to build an index.
 *
 * @param indexSeconds adding the vectors, with all that this sets off
 * @param mergeSeconds merging what is left to one segment
 */
record BuildTime(double indexSeconds, double mergeSeconds) {
  double totalSeconds() {
    return indexSeconds + mergeSeconds;
  }
}
