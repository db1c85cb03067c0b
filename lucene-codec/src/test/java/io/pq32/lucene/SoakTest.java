package io.pq32.lucene;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pq32.quantization.Effort;
import java.io.BufferedReader;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Everything at once, for a while, in little memory: every answer is right. */
class SoakTest {
  @ParameterizedTest
  @EnumSource(names = {"CODES", "WALK"})
  void answersAreRightWhileEverythingChanges(Storage storage, @TempDir Path folder)
      throws Exception {
    int seconds = Effort.of(4, 120);
    Process child =
        ChildJvm.start(
            Soak.class,
            List.of("-Xmx96m", "--add-modules", "jdk.incubator.vector"),
            folder.toString(),
            storage.name(),
            Integer.toString(seconds));
    try (BufferedReader out = child.inputReader()) {
      List<String> said = out.lines().toList();
      assertTrue(child.waitFor(60, TimeUnit.SECONDS), "the child has said all and does not end");
      assertEquals(0, child.exitValue(), "see what the child wrote above");
      System.out.println(said.getLast());
    } finally {
      child.destroyForcibly();
    }
  }
}
