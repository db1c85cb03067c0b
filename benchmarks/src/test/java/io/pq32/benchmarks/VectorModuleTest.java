package io.pq32.benchmarks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class VectorModuleTest {
  @Test
  void startsAgainWithTheVectorModuleAndPassesStatusAndOutputOn()
      throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                Benchmarks.class.getName(),
                "recall",
                "--formats=zip")
            .redirectErrorStream(true)
            .start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(2, process.waitFor(), output);
    // The JVM's own warning tells that the second one had the module.
    assertTrue(output.contains("Using incubator modules: jdk.incubator.vector"), output);
    assertTrue(output.contains("unknown format 'zip'"), output);
  }
}
