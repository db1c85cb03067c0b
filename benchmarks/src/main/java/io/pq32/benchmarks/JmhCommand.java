package io.pq32.benchmarks;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Hands its arguments to JMH. */
@Command(name = "jmh", description = "Runs the JMH benchmarks; 'jmh -h' shows JMH's own options.")
final class JmhCommand implements Callable<Integer> {
  @Parameters(arity = "0..*", paramLabel = "ARG", description = "arguments of JMH")
  private String[] args = {};

  @Override
  public Integer call() throws Exception {
    org.openjdk.jmh.Main.main(args);
    return 0;
  }
}
