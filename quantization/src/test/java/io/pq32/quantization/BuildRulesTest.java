package io.pq32.quantization;

import io.pq32.quantization.ClassFileRules.Ban;
import org.junit.jupiter.api.Test;

class BuildRulesTest {
  @Test
  void keepsTheRules() throws Exception {
    ClassFileRules.forModuleOf(PqKernels.class)
        .ban(ClassFileRules.PRODUCT)
        .ban(
            Ban.of(
                "org/(apache/lucene|elasticsearch)/.*",
                "quantization knows vectors and codes, not documents",
                "a parameter that says what is needed, as VectorSource does"),
            Ban.of(
                "(org/slf4j|org/apache/(logging|commons/logging)|java/util/logging)/.*",
                "the host chooses where logs go",
                "System.Logger"))
        .assertKept();
  }
}
