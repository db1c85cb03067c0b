package io.pq32.elasticsearch;

import io.pq32.quantization.ClassFileRules;
import org.junit.jupiter.api.Test;

class BuildRulesTest {
  @Test
  void keepsTheRules() throws Exception {
    ClassFileRules.forModuleOf(Pq32Plugin.class).ban(ClassFileRules.PRODUCT).assertKept();
  }
}
