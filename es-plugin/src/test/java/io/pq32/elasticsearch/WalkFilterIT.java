package io.pq32.elasticsearch;

/** Filters on a segment whose graph is walked. */
class WalkFilterIT extends FilterCases {
  WalkFilterIT() {
    super(Shape.WALKED);
  }
}
