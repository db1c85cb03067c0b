package io.pq32.elasticsearch.node;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * Who ends a node and deletes its folder when this JVM is killed and can do neither?
 *
 * <p>A shell that reads from a pipe of ours, which the operating system closes however we end. A
 * folder that is gone by then is the sign that everything was put in order before.
 */
final class Guard implements AutoCloseable {
  /** The file in the folder in which the server writes its own process id. */
  static final String PID_FILE = "pid";

  // Ctrl-C reaches the whole group of processes, and ours is the one that should act on it.
  private static final String SCRIPT =
      """
      trap '' HUP INT TERM
      while read -r line; do started=$line; done
      [ -d "$1" ] || exit 0
      for pid in $started $(cat "$1/$2"); do kill -9 "$pid"; done
      sleep 1
      rm -rf "$1"
      """;

  private final OutputStream pipe;

  Guard(Path folder) throws IOException {
    pipe =
        new ProcessBuilder("sh", "-c", SCRIPT, "pq32-guard", folder.toString(), PID_FILE)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start()
            .getOutputStream();
  }

  /** From now on this process, and the one of the file, are to end with this JVM. */
  void watch(long pid) throws IOException {
    tell(Long.toString(pid));
  }

  /** The process last watched has ended: its number may be another's. */
  void forget() throws IOException {
    tell("");
  }

  private void tell(String line) throws IOException {
    pipe.write((line + "\n").getBytes(StandardCharsets.US_ASCII));
    pipe.flush();
  }

  /** Ends the guard; it does its duty if the folder still exists. */
  @Override
  public void close() throws IOException {
    pipe.close();
  }
}
