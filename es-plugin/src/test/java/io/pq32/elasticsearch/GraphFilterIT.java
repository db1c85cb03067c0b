package io.pq32.elasticsearch;

/** Filters on small segments that have a graph. */
class GraphFilterIT extends FilterCases {
  GraphFilterIT() {
    super(Shape.WITH_GRAPH);
  }
}
