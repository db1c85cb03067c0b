package io.pq32.benchmarks;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.module.ModuleFinder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Sees to it that the Vector API is there: a manifest cannot ask for an incubator module, and
 * without it both pq32 and Lucene fall back to slow kernels, silently or nearly so.
 */
final class VectorModule {
  static final String NAME = "jdk.incubator.vector";

  private VectorModule() {}

  static boolean isPresent() {
    return ModuleLayer.boot().findModule(NAME).isPresent();
  }

  /**
   * Runs this program again in a JVM with the same options plus the module, and exits with its
   * status; returns when the module is there already or this JDK was built without it.
   */
  static void relaunchWhenMissing(String[] args) throws IOException, InterruptedException {
    if (isPresent() || ModuleFinder.ofSystem().find(NAME).isEmpty()) {
      return;
    }
    Process process = new ProcessBuilder(command(args)).inheritIO().start();
    Runtime.getRuntime().addShutdownHook(new Thread(process::destroy));
    System.exit(process.waitFor());
  }

  private static List<String> command(String[] args) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
    command.add("--add-modules");
    command.add(NAME);
    // MMapDirectory's native calls; the jar's manifest does not count with -cp.
    command.add("--enable-native-access=ALL-UNNAMED");
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    command.add(Benchmarks.class.getName());
    command.addAll(List.of(args));
    return command;
  }
}
