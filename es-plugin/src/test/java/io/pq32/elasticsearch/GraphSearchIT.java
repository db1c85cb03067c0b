package io.pq32.elasticsearch;

/** Searches segments that have a graph. */
class GraphSearchIT extends SearchCases {
  GraphSearchIT() {
    super(1);
  }
}
