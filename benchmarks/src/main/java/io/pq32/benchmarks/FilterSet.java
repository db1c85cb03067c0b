package io.pq32.benchmarks;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * Filters to measure, and the fields they are on.
 *
 * @param fields to index with the vectors
 */
record FilterSet(List<FilterCase> cases, DocumentFields fields) {
  static final FilterSet EMPTY = new FilterSet(List.of(), DocumentFields.NONE);

  FilterSet and(FilterSet other) {
    return new FilterSet(
        Stream.concat(cases.stream(), other.cases.stream()).toList(),
        row -> {
          var both = new ArrayList<>(fields.of(row));
          both.addAll(other.fields.of(row));
          return both;
        });
  }
}
