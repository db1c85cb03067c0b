package io.pq32.elasticsearch.demo;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Which command starts the demo? Run by Maven, which knows the class path and where a JDK of the
 * right version lies, and writes both down, so that the script can replace itself with the demo: a
 * Ctrl-C or a kill then reaches the demo and nothing that stands between.
 */
final class LaunchCommand {
  private LaunchCommand() {}

  /** Writes the command, one argument per line, to the file named by the only argument. */
  public static void main(String[] args) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    for (String name : List.of(Demo.DISTRIBUTION, Demo.PLUGIN_ZIP)) {
      command.add("-D" + name + "=" + Demo.requireProperty(name));
    }
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    command.add(Demo.class.getName());
    Files.write(Path.of(args[0]), command);
  }
}
