package io.pq32.benchmarks;

import io.pq32.quantization.ClassFileRules;
import org.junit.jupiter.api.Test;

class BuildRulesTest {
  /** A tool may print and format as it likes; its environment stamp tells the register width. */
  @Test
  void keepsTheRules() throws Exception {
    ClassFileRules.forModuleOf(Benchmarks.class)
        .ban(ClassFileRules.VECTORS_OUTSIDE_KERNELS.exceptIn("io/pq32/benchmarks/Environment"))
        .assertKept();
  }
}
