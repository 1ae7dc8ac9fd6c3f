/** How a system or program is made to trust the CA: shown by `frametap ca` and by the proxy's own pages. */
export interface TrustInstruction {
  readonly id: string;
  readonly title: string;
  /** What to do, in words. */
  readonly steps: readonly string[];
  /** What to type, one line each. */
  readonly commands: readonly string[];
}

/** `certificate`: path or name of ca.pem; `proxyUrl`: like http://127.0.0.1:8080. */
export function trustInstructions(facts: {
  readonly certificate: string;
  readonly proxyUrl: string;
}): readonly TrustInstruction[] {
  const { proxyUrl } = facts;
  const file = quote(facts.certificate);
  return [
    {
      id: 'macos',
      title: 'macOS',
      steps: ['Trust it for your user; remove it in Keychain Access later. Restart the browser.'],
      commands: [`security add-trusted-cert -r trustRoot -k ~/Library/Keychains/login.keychain-db ${file}`],
    },
    {
      id: 'windows',
      title: 'Windows',
      steps: ['Trust it for your user, and confirm. Edge and Chrome use this store.'],
      commands: [`certutil -user -addstore Root ${file}`],
    },
    {
      id: 'debian',
      title: 'Linux: Debian, Ubuntu',
      steps: ['The file has to end in .crt there. Browsers on Linux have stores of their own: see the next entries.'],
      commands: [`sudo cp ${file} /usr/local/share/ca-certificates/frametap.crt`, 'sudo update-ca-certificates'],
    },
    {
      id: 'fedora',
      title: 'Linux: Fedora, RHEL',
      steps: [],
      commands: [`sudo cp ${file} /etc/pki/ca-trust/source/anchors/frametap.pem`, 'sudo update-ca-trust'],
    },
    {
      id: 'chrome-linux',
      title: 'Chrome and Chromium on Linux',
      steps: ['Needs certutil (package libnss3-tools or nss-tools). Or start one that is ready: frametap browser URL.'],
      commands: [`certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n Frametap -i ${file}`],
    },
    {
      id: 'firefox',
      title: 'Firefox',
      steps: [
        'Settings, Privacy & Security, Certificates, View Certificates, Authorities, Import: choose the file and tick "Trust this CA to identify websites".',
        'To send loopback through the proxy as well, set network.proxy.allow_hijacking_localhost in about:config.',
      ],
      commands: [],
    },
    {
      id: 'node',
      title: 'Node.js',
      steps: ['Only the CA; which proxy to use is up to the program.'],
      commands: [`export NODE_EXTRA_CA_CERTS=${file}`],
    },
    {
      id: 'curl',
      title: 'curl',
      steps: [],
      commands: [`curl --proxy ${proxyUrl} --cacert ${file} https://example.com/`],
    },
    {
      id: 'python',
      title: 'Python',
      steps: ['requests and httpx read these; websockets and aiohttp take an ssl context made with cafile.'],
      commands: [`export REQUESTS_CA_BUNDLE=${file} SSL_CERT_FILE=${file} HTTPS_PROXY=${proxyUrl}`],
    },
    {
      id: 'java',
      title: 'Java',
      steps: ['A trust store for one program; the password is up to you.'],
      commands: [
        `keytool -importcert -noprompt -alias frametap -file ${file} -keystore frametap.jks -storepass changeit`,
        'java -Djavax.net.ssl.trustStore=frametap.jks -Djavax.net.ssl.trustStorePassword=changeit …',
      ],
    },
    {
      id: 'android',
      title: 'Android',
      steps: [
        'Set the proxy of the Wi-Fi network, open http://frametap.test/ and download the .crt.',
        'Settings, Security, More, Encryption & credentials, Install a certificate, CA certificate.',
        'Apps trust it only where their network security configuration allows user certificates.',
      ],
      commands: [],
    },
    {
      id: 'ios',
      title: 'iPhone and iPad',
      steps: [
        'Set the proxy of the Wi-Fi network, open http://frametap.test/ in Safari and download the .crt.',
        'Settings, General, VPN & Device Management: install the profile.',
        'Settings, General, About, Certificate Trust Settings: turn full trust on.',
      ],
      commands: [],
    },
  ];
}

/** The instructions as plain text for a terminal. */
export function trustText(instructions: readonly TrustInstruction[]): string {
  return instructions
    .map(({ title, steps, commands }) =>
      [title, ...steps.map((step) => `  ${step}`), ...commands.map((command) => `    ${command}`)].join('\n'),
    )
    .join('\n\n');
}

/** For a shell, where there is something to quote. */
function quote(path: string): string {
  return /^[\w@%+=:,./~\\-]+$/.test(path) ? path : `"${path.replace(/(["$`])/g, '\\$1')}"`;
}
