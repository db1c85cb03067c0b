package io.pq32.elasticsearch.node;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * The operating-system user that a node runs as: ourselves, or, because Elasticsearch refuses root,
 * an unprivileged one when we are root.
 */
final class NodeUser {
  /** {@code nobody} of every Linux distribution; the number works without an entry in passwd. */
  private static final int UNPRIVILEGED_ID = 65534;

  private final boolean drop;

  private NodeUser(boolean drop) {
    this.drop = drop;
  }

  /** The user for a node whose files live in {@code folder}, which we have just created. */
  static NodeUser forFolder(Path folder) throws IOException {
    if (!folder.getFileSystem().supportedFileAttributeViews().contains("unix")) {
      throw new IOException(
          "Elasticsearch is started through its shell scripts: needs Linux/macOS");
    }
    return new NodeUser(Files.getAttribute(folder, "unix:uid").equals(0));
  }

  /** {@code command} as that user runs it. */
  List<String> command(List<String> command) {
    if (!drop) {
      return command;
    }
    List<String> dropped = new ArrayList<>();
    dropped.add("setpriv");
    dropped.add("--reuid=" + UNPRIVILEGED_ID);
    dropped.add("--regid=" + UNPRIVILEGED_ID);
    dropped.add("--clear-groups");
    dropped.addAll(command);
    return dropped;
  }

  /** Gives everything below {@code root} to that user. */
  void own(Path root) throws IOException {
    if (!drop) {
      return;
    }
    Files.walkFileTree(
        root,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes)
              throws IOException {
            return visitFile(folder, attributes);
          }

          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Files.setAttribute(file, "unix:uid", UNPRIVILEGED_ID, LinkOption.NOFOLLOW_LINKS);
            Files.setAttribute(file, "unix:gid", UNPRIVILEGED_ID, LinkOption.NOFOLLOW_LINKS);
            return FileVisitResult.CONTINUE;
          }
        });
  }

  /** Fails, saying what to do, when that user cannot run {@code java} inside {@code folder}. */
  void check(Path java, Path folder) throws IOException {
    if (!drop) {
      return;
    }
    String answer = failure(List.of("true"), folder);
    if (answer != null) {
      throw new IOException(
          "Elasticsearch does not run as root, and changing to the unprivileged user "
              + UNPRIVILEGED_ID
              + " failed; install util-linux's setpriv, or run as another user than root: "
              + answer);
    }
    answer = failure(List.of(java.toString(), "-version"), folder);
    if (answer != null) {
      throw new IOException(
          "Elasticsearch does not run as root, and the unprivileged user "
              + UNPRIVILEGED_ID
              + " cannot run "
              + java
              + "; use a JDK in a folder that everybody may read, or run as another user than"
              + " root: "
              + answer);
    }
  }

  /** What a short command answered if it could not be run or failed, else null. */
  private String failure(List<String> command, Path folder) {
    try {
      Process process =
          new ProcessBuilder(command(command))
              .directory(folder.toFile())
              .redirectErrorStream(true)
              .start();
      String output = new String(process.getInputStream().readAllBytes()).strip();
      process.waitFor(1, TimeUnit.MINUTES);
      return process.exitValue() == 0 ? null : output + " (exit " + process.exitValue() + ")";
    } catch (IOException e) {
      return e.getMessage();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return "interrupted";
    }
  }
}
