package io.pq32.elasticsearch.node;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GuardTest {
  private static final long MINUTES = 1;

  @TempDir Path temporary;

  /** The JVM that is killed: guards a launcher and a server, and says which they are. */
  static final class Guarded {
    public static void main(String[] args) throws IOException, InterruptedException {
      Path folder = Files.createDirectory(Path.of(args[0]));
      Process launcher = sleep();
      Process server = sleep();
      Files.writeString(folder.resolve(Guard.PID_FILE), server.pid() + "\n");
      Guard guard = new Guard(folder);
      guard.watch(launcher.pid());
      System.out.println(launcher.pid() + " " + server.pid());
      Thread.sleep(TimeUnit.MINUTES.toMillis(MINUTES));
      guard.close();
    }
  }

  private static Process sleep() throws IOException {
    return new ProcessBuilder("sleep", Long.toString(TimeUnit.MINUTES.toSeconds(5))).start();
  }

  @Test
  void endsTheNodeOfAJvmThatIsKilled() throws Exception {
    Path folder = temporary.resolve("node");
    Process jvm =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                Guarded.class.getName(),
                folder.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    BufferedReader said = jvm.inputReader();
    String[] pids = said.readLine().split(" ");
    ProcessHandle launcher = ProcessHandle.of(Long.parseLong(pids[0])).orElseThrow();
    ProcessHandle server = ProcessHandle.of(Long.parseLong(pids[1])).orElseThrow();

    jvm.destroyForcibly();

    launcher.onExit().get(MINUTES, TimeUnit.MINUTES);
    server.onExit().get(MINUTES, TimeUnit.MINUTES);
    long deadline = System.nanoTime() + TimeUnit.MINUTES.toNanos(MINUTES);
    while (Files.exists(folder) && System.nanoTime() < deadline) {
      Thread.sleep(100);
    }
    assertFalse(Files.exists(folder));
  }

  @Test
  void leavesAloneWhatWasPutInOrder() throws Exception {
    Path folder = Files.createDirectory(temporary.resolve("node"));
    Process other = sleep();
    try {
      Guard guard = new Guard(folder);
      guard.watch(other.pid());
      Folders.delete(folder);
      guard.close();

      assertFalse(other.waitFor(2, TimeUnit.SECONDS));
    } finally {
      other.destroyForcibly();
    }
  }

  @Test
  void endsNoProcessThatItWasToldToForget() throws Exception {
    Path folder = Files.createDirectory(temporary.resolve("node"));
    Process other = sleep();
    try {
      Guard guard = new Guard(folder);
      guard.watch(other.pid());
      guard.forget();
      guard.close();

      long deadline = System.nanoTime() + TimeUnit.MINUTES.toNanos(MINUTES);
      while (Files.exists(folder) && System.nanoTime() < deadline) {
        Thread.sleep(100);
      }
      assertFalse(Files.exists(folder));
      assertTrue(other.isAlive());
    } finally {
      other.destroyForcibly();
    }
  }
}
