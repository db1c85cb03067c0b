package io.pq32.benchmarks;

import io.pq32.quantization.PqKernels;
import java.io.IOException;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import jdk.incubator.vector.VectorShape;
import org.apache.lucene.util.Version;

/**
 * What figures depend on besides the code.
 *
 * @param pq32Kernels the kernels pq32 chose
 * @param vectorBits width the Vector API prefers here; 0 if this JVM has no Vector API
 * @param loadAverage of the machine when the run began; negative where the system tells none
 */
record Environment(
    String time,
    String cpu,
    int processors,
    double loadAverage,
    String system,
    String jvm,
    List<String> jvmArguments,
    long maxHeapMb,
    String gc,
    int vectorBits,
    String pq32Kernels,
    String lucene) {

  static Environment current() throws IOException {
    Runtime runtime = Runtime.getRuntime();
    return new Environment(
        Instant.now().truncatedTo(ChronoUnit.SECONDS).toString(),
        cpuModel(),
        runtime.availableProcessors(),
        ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage(),
        System.getProperty("os.name")
            + " "
            + System.getProperty("os.version")
            + " "
            + System.getProperty("os.arch"),
        System.getProperty("java.vm.name") + " " + Runtime.version(),
        ManagementFactory.getRuntimeMXBean().getInputArguments(),
        runtime.maxMemory() >> 20,
        ManagementFactory.getGarbageCollectorMXBeans().stream()
            .map(GarbageCollectorMXBean::getName)
            .collect(Collectors.joining(", ")),
        VectorModule.isPresent() ? VectorShape.preferredShape().vectorBitSize() : 0,
        PqKernels.instance().name(),
        Version.LATEST.toString());
  }

  /** The model as Linux tells it; elsewhere the architecture has to do. */
  private static String cpuModel() throws IOException {
    Path info = Path.of("/proc/cpuinfo");
    if (Files.isReadable(info)) {
      try (Stream<String> lines = Files.lines(info)) {
        var model = lines.filter(line -> line.startsWith("model name")).findFirst();
        if (model.isPresent()) {
          return model.get().substring(model.get().indexOf(':') + 1).strip();
        }
      }
    }
    return System.getProperty("os.arch");
  }
}
