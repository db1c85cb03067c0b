package io.pq32.lucene;

import io.pq32.quantization.ClassFileRules;
import io.pq32.quantization.ClassFileRules.Ban;
import org.junit.jupiter.api.Test;

class BuildRulesTest {
  @Test
  void keepsTheRules() throws Exception {
    ClassFileRules.forModuleOf(Pq32HnswVectorsFormat.class)
        .ban(ClassFileRules.PRODUCT)
        .ban(
            Ban.of(
                "org/elasticsearch/.*",
                "the format serves any Lucene application",
                "a parameter of the format"),
            Ban.of(
                ".*\\.ordinal\\(\\)I",
                "the order of constants in the source would become part of the file format",
                "a number of its own, as Metric.wireNumber()"))
        .assertKept();
  }
}
